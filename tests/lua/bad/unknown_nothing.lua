-- SPDX-License-Identifier: Apache-2.0
zzzzzzzz()
--> error 2: unknown name `zzzzzzzz`
