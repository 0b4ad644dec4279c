-- SPDX-License-Identifier: Apache-2.0
local x = require "no.such"
--> error 2: require: no module `no.such` (looked for no/such.lua)
