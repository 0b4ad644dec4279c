-- SPDX-License-Identifier: Apache-2.0
local x = require "self_module"
--> error 2: require: module `self_module` requires itself
