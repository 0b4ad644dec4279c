-- SPDX-License-Identifier: Apache-2.0
scenario "t" (5)
--> error 2: scenario "t": needs a table, write scenario "t" { ... }
