# SPDX-License-Identifier: Apache-2.0
"""Answers SQL over raw files by DuckDB's own reader: sql.py REQUEST ANSWER, both JSON.

The request is {"setup": [sql, ...], "queries": [sql, ...]}; the answer has, a query,
{"columns": [...], "rows": [[...], ...]}. One thread, so that rows keep the file's order.
"""

import json
import sys

import duckdb


def answer(database, query):
    cursor = database.execute(query)
    columns = [column[0] for column in cursor.description]
    return {"columns": columns, "rows": cursor.fetchall()}


def main(request_file, answer_file):
    with open(request_file, encoding="utf-8") as file:
        request = json.load(file)
    database = duckdb.connect(config={"threads": 1})
    for statement in request["setup"]:
        database.execute(statement)
    answers = [answer(database, query) for query in request["queries"]]
    with open(answer_file, "w", encoding="utf-8") as file:
        json.dump(answers, file, allow_nan=False)


main(*sys.argv[1:])
