-- SPDX-License-Identifier: Apache-2.0
local _ = math.randomseed(1)
--> error 2: math.randomseed() while loading: the file is loaded once in the runner and once in every worker, so it must give the same result each time; call it inside a role, or use a param
