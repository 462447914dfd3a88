"""An ordinary Flask application: requests, MySQLdb, blocking calls, and nothing about the server that runs it."""

import os
import threading

import MySQLdb
import requests
from flask import Flask, jsonify, request

app = Flask(__name__)
kept = threading.local()


def database():
    if not hasattr(kept, "connection"):
        kept.connection = MySQLdb.connect(host="127.0.0.1", port=int(os.environ["MYSQL_PORT"]), user="test", passwd="secret", db="test", autocommit=True)
    return kept.connection


@app.route("/order/<int:number>")
def order(number):
    price = requests.get(os.environ["PRICES"], params={"sleep": "0.3"}, timeout=60)
    price.raise_for_status()
    with database().cursor() as cursor:
        cursor.execute("select sleep(0.3), %s, connection_id()", (number,))
        slept, asked, connection = cursor.fetchone()
    return jsonify(price=price.text, slept=slept, asked=asked, connection=connection, number=request.view_args["number"])


@app.route("/quick")
def quick():
    return "quick"
