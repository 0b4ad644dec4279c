-- SPDX-License-Identifier: Apache-2.0
os.execute "true"
--> error 2: os.execute is not available: scenarios reach no files, programs or network
