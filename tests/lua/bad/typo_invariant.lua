-- SPDX-License-Identifier: Apache-2.0
invariant "i" { onn = "x", step = function() end }
--> error 2: invariant "i": unknown field `onn` (did you mean `on`?)
