"""As much of curl as the documents use, where there is none."""

import argparse
import sys
import urllib.error
import urllib.request

line = argparse.ArgumentParser()
line.add_argument("-s", action="store_true")
line.add_argument("-o", dest="file")
line.add_argument("-w", dest="told", default="")
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
    answer = opener.open(request)
except urllib.error.HTTPError as error:
    answer = error
text = answer.read().decode()
if asked.file is None:
    print(text)
sys.stdout.write(asked.told.replace("%{http_code}", str(answer.status)))
