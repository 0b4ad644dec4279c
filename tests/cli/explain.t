Pages on findings, verdicts and terms.

  $ kaos explain duplicate | head -3
  # duplicate
  
  An input has more effects than declared.
  $ kaos explain lost | head -1
  # lost
  $ kaos explain inconclusive | head -1
  # inconclusive
  $ kaos explain duplicat
  kaos: nothing to explain about 'duplicat'; did you mean 'duplicate'?
  [64]
  $ kaos explain | head -3
    aborted_read             A record of an aborted transaction was delivered to a role.
    assertion                An assertion inside a role failed.
    corrupt_batch            A batch of the log does not decode, or holds another number of records than it says.
