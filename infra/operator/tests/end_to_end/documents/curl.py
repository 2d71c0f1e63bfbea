"""Implements the options of curl that the documents use, because a machine may have no curl."""

import argparse
import sys
import urllib.error
import urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("-s", action="store_true")
parser.add_argument("-o", dest="file")
parser.add_argument("-w", dest="write_out", default="")
parser.add_argument("-X", dest="method", default="GET")
parser.add_argument("-H", dest="headers", action="append", default=[])
parser.add_argument("-d", dest="body")
parser.add_argument("url")
arguments = parser.parse_args()
headers = dict(header.split(": ", 1) for header in arguments.headers)
body = arguments.body.encode() if arguments.body is not None else None
request = urllib.request.Request(arguments.url, data=body, headers=headers, method=arguments.method)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    answer = opener.open(request)
except urllib.error.HTTPError as error:
    answer = error
text = answer.read().decode()
if arguments.file is None:
    print(text)
sys.stdout.write(arguments.write_out.replace("%{http_code}", str(answer.status)))
