-- SPDX-License-Identifier: Apache-2.0
scenario(5)
--> error 2: scenario: 5 is not a string, write scenario "name"
