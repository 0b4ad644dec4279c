-- SPDX-License-Identifier: Apache-2.0
println "x"
--> error 2: unknown name `println`, did you mean `print`?
