--[[ Returns {p, W, p, W, ...} of all partitions, in no order. ]]
local triples, answer = partitionTriples(), {}
for i = 1, #triples, 3 do
  answer[#answer + 1] = triples[i]
  answer[#answer + 1] = watermark(triples[i], triples[i + 2])
end
return answer
