-- SPDX-License-Identifier: Apache-2.0
topic = "x"
--> error 2: global `topic` assigned; write `local topic`
