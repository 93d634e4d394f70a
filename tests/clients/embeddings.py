"""OpenAI's package and a client of text-embeddings-inference, pointed at Guidepost.

    embeddings.py http://127.0.0.1:PORT
"""

import math
import sys

import openai
from tei_client.clients.http_client import HttpClient

TEXTS = ["How do I become a data analyst?", "A roofer covers houses with slate.", "Brot"]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def check_openai(address: str):
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0)
    # The package asks for base64 unless it is told otherwise, and unpacks it.
    packed = client.embeddings.create(model="text-embedding-3-small", input=TEXTS)
    plain = client.embeddings.create(model="text-embedding-3-small", input=TEXTS, encoding_format="float")
    assert [item.index for item in packed.data] == [0, 1, 2]
    for one, other in zip(packed.data, plain.data):
        assert len(one.embedding) == len(other.embedding)
        assert cosine(one.embedding, other.embedding) > 0.999999
    assert packed.usage.prompt_tokens == packed.usage.total_tokens > 10
    names = [model.id for model in client.models.list()]
    assert names == [packed.model], names
    for wrong in [{"input": [[1, 2, 3]]}, {"input": "a", "dimensions": 3}, {"input": "word " * 5000}, {"input": []}]:
        try:
            client.embeddings.create(model="any", **wrong)
        except openai.APIStatusError as error:
            assert error.status_code in (400, 413) and error.body["message"], error
        else:
            raise AssertionError(f"accepted: {str(wrong)[:80]}")
    return [item.embedding for item in packed.data]


def check_tei(address: str, expected):
    client = HttpClient(address)
    assert client.health()
    info = client.info()
    assert info.max_input_length >= 128 and info.max_client_batch_size >= len(TEXTS), info
    for vector, other in zip(client.embed(TEXTS), expected, strict=True):
        assert cosine(vector, other) > 0.999999
    assert len(client.embed("word " * 5000, truncate=True)) == 1
    refused = client.client.post("/embed", json={"inputs": "word " * 5000})
    assert refused.status_code == 413 and refused.json()["error_type"] == "Validation", refused.text
    many = client.client.post("/embed", json={"inputs": ["a"] * (info.max_client_batch_size + 1)})
    assert many.status_code == 413, many.text


if __name__ == "__main__":
    check_tei(sys.argv[1], check_openai(sys.argv[1]))
    print("embeddings: OpenAI's package and tei-client agree")
