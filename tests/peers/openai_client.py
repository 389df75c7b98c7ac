#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OpenAI's Python client against the door; vectors against tokenizers and ONNX Runtime.

    openai_client.py BASE_URL MODEL_FILE VOCABULARY [WAV]
"""
import sys

import numpy as np
import onnxruntime
import openai
from tokenizers import BertWordPieceTokenizer

base, model_file, vocabulary, *sounds = sys.argv[1:]
client = openai.OpenAI(base_url=base, api_key="client-secret", max_retries=0)
session = onnxruntime.InferenceSession(model_file, providers=["CPUExecutionProvider"])
tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)
TEXTS = [
    "The bearing of pump 3 runs hot.",
    "Le café près de l'hôtel était fermé, n'est-ce pas ?",
    "温度 too high\tat \u00a0line-7: 98.6°C; unaffable ﬁnance ½ Straße",
    "!",
    "x" * 120,
]


def expected(text):
    ids = np.array([tokenizer.encode(text).ids], np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": 0 * ids}
    vector = session.run(None, inputs)[0][0].mean(axis=0)
    return vector / np.linalg.norm(vector), ids.shape[1]


def check_models():
    listed = [model.id for model in client.models.list()]
    assert "minilm" in listed and "add_sub" not in listed, listed
    assert client.models.retrieve("minilm").owned_by == "infiniedge"
    try:
        client.models.retrieve("absent")
        raise AssertionError("an absent model was found")
    except openai.NotFoundError as error:
        assert error.code == "model_not_found", error


def check_embeddings():
    references = [expected(text) for text in TEXTS]
    for encoding in (None, "float", "base64"):
        extra = {"encoding_format": encoding} if encoding else {}
        answer = client.embeddings.create(model="minilm", input=TEXTS, **extra)
        assert answer.usage.prompt_tokens == sum(n for _, n in references), answer.usage
        for item, (vector, _) in zip(answer.data, references):
            got = np.frombuffer(__import__("base64").b64decode(item.embedding), np.float32) if (
                isinstance(item.embedding, str)) else np.array(item.embedding)
            assert np.allclose(got, vector, atol=1e-5), (item.index, np.abs(got - vector).max())
    ids = tokenizer.encode(TEXTS[0]).ids
    by_token = client.embeddings.create(model="minilm", input=ids).data[0].embedding
    assert np.allclose(by_token, references[0][0], atol=1e-5)
    short = client.embeddings.create(model="minilm", input="a", dimensions=8).data[0].embedding
    assert len(short) == 8 and abs(np.linalg.norm(short) - 1) < 1e-5


def refused(param, **request):
    try:
        client.embeddings.create(**request)
    except openai.BadRequestError as error:
        assert error.param == param and error.type == "invalid_request_error", error.body
        return
    raise AssertionError(f"not refused: {param}")


def check_refusals():
    refused("input", model="minilm", input=[])
    refused("input", model="minilm", input="word " * 600)
    refused("input", model="minilm", input=[[1], [99999999]])
    refused("dimensions", model="minilm", input="a", dimensions=10_000)
    refused("model", model="add_sub", input="a")


def check_chat():
    messages = [{"role": "user", "content": "hello"}]
    answer = client.chat.completions.create(model="small", messages=messages, seed=7)
    assert answer.choices[0].message.content == "you said hello", answer
    assert answer.model == "upstream-small" and answer.usage.completion_tokens == 3
    pieces = []
    for event in client.chat.completions.create(model="small", messages=messages, stream=True):
        pieces += [choice.delta.content or "" for choice in event.choices]
    assert "".join(pieces) == "you said hello", pieces
    for streaming in (False, True):
        try:
            client.chat.completions.create(model="busy", messages=messages, stream=streaming)
            raise AssertionError("a refusal of the upstream was lost")
        except openai.RateLimitError as error:
            assert error.code == "slow_down", error
        try:
            client.chat.completions.create(model="other", messages=messages, stream=streaming)
            raise AssertionError("a model without alias was passed on")
        except openai.NotFoundError:
            pass


def check_speech(file):
    speech = client.audio.transcriptions
    with open(file, "rb") as sound:
        text = speech.create(model="pocketsphinx-en-us", file=sound).text
    print("heard:", text)
    assert "center" in text, text
    with open(file, "rb") as sound:
        verbose = speech.create(
            model="pocketsphinx-en-us", file=sound, response_format="verbose_json")
    assert verbose.duration > 1 and verbose.segments and verbose.text == text
    with open(file, "rb") as sound:
        titles = speech.create(model="pocketsphinx-en-us", file=sound, response_format="srt")
    assert titles.startswith("1\n00:00:0") and " --> " in titles, titles
    with open(file, "rb") as sound:
        events = list(speech.create(model="pocketsphinx-en-us", file=sound, stream=True))
    assert events[-1].type == "transcript.text.done" and events[-1].text == text
    try:
        speech.create(model="pocketsphinx-en-us", file=("a.mp3", b"ID3 not a wave"))
        raise AssertionError("a file that is no WAV was taken")
    except openai.BadRequestError as error:
        assert "WAV" in str(error), error


check_models()
check_embeddings()
check_refusals()
check_chat()
for sound_file in sounds:
    check_speech(sound_file)
print("all checks passed")
