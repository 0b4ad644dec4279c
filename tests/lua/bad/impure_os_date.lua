-- SPDX-License-Identifier: Apache-2.0
local _ = os.date()
--> error 2: os.date() while loading: the file is loaded once in the runner and once in every worker, so it must give the same result each time; call it inside a role, or use a param
