-- SPDX-License-Identifier: Apache-2.0
local x = env "KAOS_NO_SUCH_VARIABLE"
--> error 2: env "KAOS_NO_SUCH_VARIABLE" is not set and has no default
