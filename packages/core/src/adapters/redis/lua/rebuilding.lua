--[[ Stands before what a ledger is told while it is rebuilt. Answers 0 when it is not (any more). ]]
if not isRebuilding then return 0 end
