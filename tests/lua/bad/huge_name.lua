-- SPDX-License-Identifier: Apache-2.0
scenario(("n"):rep(100000)) {}
--> error 2: scenario: a string of more than 4096 bytes, write scenario "name"
