-- SPDX-License-Identifier: Apache-2.0
scenario "t" {
  roles = { a = function( end },
}
--> error 3: <name> or '...' expected near 'end'
