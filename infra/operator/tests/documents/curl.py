"""As much of curl as the documents use, where there is none: curl [-X METHOD] [-H HEADER]... [-d BODY] URL"""

import argparse
import urllib.error
import urllib.request

line = argparse.ArgumentParser()
line.add_argument("-X", dest="method", default="GET")
line.add_argument("-H", dest="headers", action="append", default=[])
line.add_argument("-d", dest="body")
line.add_argument("url")
asked = line.parse_args()
headers = dict(header.split(": ", 1) for header in asked.headers)
body = asked.body.encode() if asked.body is not None else None
request = urllib.request.Request(asked.url, data=body, headers=headers, method=asked.method)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    print(opener.open(request).read().decode())
except urllib.error.HTTPError as error:
    print(error.read().decode(), error.code)
