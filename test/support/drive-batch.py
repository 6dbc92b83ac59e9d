"""What a user of OpenAI's Python package does with batches. OPENAI_BASE_URL and OPENAI_API_KEY say where; prints what it saw."""

import base64
import io
import json
import os
import struct
import time
import urllib.request

import openai
from openai import OpenAI

MODEL = "text-embedding-3-small"
client = OpenAI(max_retries=0)


def line(number):
    body = {"model": MODEL, "input": f"text number {number}", "encoding_format": "base64"}
    return {"custom_id": f"line-{number}", "method": "POST", "url": "/v1/embeddings", "body": body}


def upload(count):
    lines = "".join(json.dumps(line(number)) + "\n" for number in range(count))
    return client.files.create(file=("input.jsonl", io.BytesIO(lines.encode())), purpose="batch")


def create(file):
    return client.batches.create(
        input_file_id=file.id, endpoint="/v1/embeddings", completion_window="24h", metadata={"by": "python"}
    )


def wait_for(batch_id, *statuses):
    deadline = time.monotonic() + 10
    while (batch := client.batches.retrieve(batch_id)).status not in statuses:
        assert time.monotonic() < deadline, batch.status
        time.sleep(0.01)
    return batch


def admin(route, body):
    request = urllib.request.Request(
        os.environ["ADMIN_URL"] + route, json.dumps(body).encode(), {"content-type": "application/json"}, method="PUT"
    )
    urllib.request.urlopen(request).read()


def floats(encoded):
    data = base64.b64decode(encoded)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def refusal(call):
    try:
        call()
    except openai.APIStatusError as error:
        return {"type": type(error).__name__, "status": error.status_code}


# Upload, create, poll, download.
file = upload(5)
created = create(file)
done = wait_for(created.id, "completed")
results = [json.loads(text) for text in client.files.content(done.output_file_id).text.splitlines()]
vectors = {one["custom_id"]: one["response"]["body"]["data"][0]["embedding"] for one in results}
alone = client.embeddings.create(model=MODEL, input="text number 3").data[0].embedding
batch_vector = floats(vectors["line-3"])

# Cancel, of a job that will not end by itself and of one that has ended.
admin("/faults", {"rules": [{"kind": "job_stuck", "done": 0.4}]})
second = create(upload(5))
while client.batches.retrieve(second.id).request_counts.completed < 2:
    time.sleep(0.01)
cancelling = client.batches.cancel(second.id)
cancelled = wait_for(second.id, "cancelled")
errors = [json.loads(text) for text in client.files.content(cancelled.error_file_id).text.splitlines()]

# Everything that a list pages through.
listed = [batch.id for batch in client.batches.list(limit=1)]
client.files.delete(file.id)

print(
    json.dumps(
        {
            "version": openai.__version__,
            "fileStatus": file.status,
            "createdStatus": created.status,
            "metadata": done.metadata,
            "counts": done.request_counts.to_dict(),
            "usage": done.usage.total_tokens,
            "ids": sorted(vectors),
            "sameVector": len(alone) == 1536 and max(abs(a - b) for a, b in zip(alone, batch_vector)) < 1e-6,
            "cancellingStatus": cancelling.status,
            "cancelledCounts": cancelled.request_counts.to_dict(),
            "cancelledErrors": [one["error"]["code"] for one in errors],
            "listed": len(listed) == 2 and listed == [second.id, created.id],
            "cancelAgain": refusal(lambda: client.batches.cancel(created.id)),
            "deleted": refusal(lambda: client.files.retrieve(file.id)),
        }
    )
)
