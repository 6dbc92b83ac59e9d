/** What `--help` prints. */
export const usage = `Usage: local-openai [options]

An OpenAI-compatible server of embeddings, files and batches on this computer: no key, no cost, a clock that runs a
night in seconds, and every failure on demand. Official clients work unchanged with the URL that it prints:

  local-openai --port 8089 --turnaround plausible --clock-factor 3600
  export OPENAI_BASE_URL=http://127.0.0.1:8089/v1 OPENAI_API_KEY=any

Where it listens
  --port N             port (default 0: a free one)               --port 8089
  --host ADDRESS       address (default 127.0.0.1)                --host 0.0.0.0
  --api-key KEY        let in this key only; may be repeated      --api-key test-key
                       (default: any key)

How jobs go
  --turnaround T       from creation to the end (default none: as long as the computing); plausible is
                       minutes to hours, within the window        --turnaround plausible
                       seconds                                    --turnaround 3600
                       MEDIAN,P99 in seconds; jobs beyond the window expire
                                                                  --turnaround lognormal:2400,72000
  --clock-factor F     how many times as fast as real time files and jobs live (default 1); 0 stands until
                       moved by PUT /_local/clock                 --clock-factor 3600
  --faults FILE        what goes wrong on purpose: JSON as PUT /_local/faults takes it (default: nothing)
                       {"seed": 1, "rules": [{"kind": "job_expires", "done": 0.7, "nth": 1}]}
                                                                  --faults faults.json
  --webhook URL        tell this URL when a job has ended (default: nobody)
                                                                  --webhook http://127.0.0.1:9000/hook
  --webhook-secret S   its secret, whsec_ and base64 (default: one that GET /_local/webhook shows)
                                                                  --webhook-secret whsec_c2VjcmV0

How requests go
  --latency L          least ms to an answer to embeddings (default 0), fixed, uniform or MEDIAN,P99
                                                                  --latency 200
                                                                  --latency 100..300
                                                                  --latency lognormal:200,900
  --tier T             limits of a usage tier: none (default), free, 1 to 5; also of enqueued batch tokens
                                                                  --tier 1
  --seed N             of all that is drawn by chance (default 1) --seed 7

What it answers
  --vectors V          fast (default): deterministic noise, served as OpenAI's models; or
                       minilm: real vectors, served as all-minilm-l6-v2
                                                                  --vectors minilm
  --minilm-dir DIR     where the model's files are (default: the variable MINILM_DIR)
                                                                  --minilm-dir ./models
  --threads N          threads for minilm (default: cores - 1)    --threads 2

What it keeps
  --data-dir DIR       files, jobs and the bill over restarts, of one server at a time (default: a temporary
                       folder, removed at the end)
                                                                  --data-dir ./openai-data
  --state FILE         the bill only, over restarts (default: in the data folder)
                                                                  --state ./bill.jsonl
Output
  --json               one line of JSON when ready: {"url","adminUrl","pid"} (default: Ready at URL)
  --help               print this

Beside /v1, on loopback and without a key: GET /_local/bill says what was charged, /_local/faults, /_local/clock,
/_local/jobs, /_local/journal, /_local/limits, /_local/turnaround, /_local/latency, /_local/webhook.
Ctrl-C and SIGTERM end it when running requests have ended, after 10 s at most. Exit codes: 0 ended when told,
1 could not start, 2 wrong options. README: packages/local-openai/README.md
`
