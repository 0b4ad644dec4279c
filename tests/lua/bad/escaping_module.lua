-- SPDX-License-Identifier: Apache-2.0
local x = require "../secret"
--> error 2: require: "../secret" is not the name of a module
