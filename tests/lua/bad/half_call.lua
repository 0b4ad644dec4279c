-- SPDX-License-Identifier: Apache-2.0
scenario "t"
--> error 0: declares no scenario, write scenario "name" { ... }
