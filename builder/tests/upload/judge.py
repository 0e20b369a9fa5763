"""What the official client of API v4 and boto3 make of a Prism Central: they create, look, list, change and delete an image.

Arguments: host, port, user, password, file of its certificate authority, image file. Prints one JSON object.
"""
import base64
import json
import sys
import time

import boto3
import ntnx_prism_py_client as prism
import ntnx_vmm_py_client as vmm
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

host, port, user, password, authority, image = sys.argv[1:]


def client(module):
    configuration = module.Configuration()
    configuration.host, configuration.port = host, int(port)
    configuration.username, configuration.password = user, password
    configuration.verify_ssl = False
    return module.ApiClient(configuration=configuration)


key = base64.b64encode(f"{user}:{password}".encode()).decode()
s3 = boto3.client(
    "s3", endpoint_url=f"https://{host}:{port}/api/prism/v4.0/objects/", aws_access_key_id=key, aws_secret_access_key=key,
    region_name="us-east-1", verify=authority, config=Config(s3={"addressing_style": "path"}),
)
parts = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20, max_concurrency=4)
s3.upload_file(image, "vmm-images", "by-boto3", Config=parts)
head = s3.head_object(Bucket="vmm-images", Key="by-boto3")
listed = s3.list_objects_v2(Bucket="vmm-images")
small = s3.put_object(Bucket="vmm-images", Key="small", Body=b"x" * 70000)

images = vmm.ImagesApi(api_client=client(vmm))
tasks = prism.TasksApi(api_client=client(prism))


def wait(answer):
    for _ in range(50):
        task = tasks.get_task_by_id(answer.data.ext_id).data
        if task.status not in ("QUEUED", "RUNNING"):
            return task
        time.sleep(0.05)
    raise SystemExit("the task does not end")


def make(source_key):
    new = vmm.Image(name="by-sdk", type="DISK_IMAGE", source=vmm.ObjectsLiteSource(key=source_key), description="judged")
    return wait(images.create_image(new))


good = make("by-boto3")
image_id = good.entities_affected[0].ext_id
bad = make("no such key")
for _ in range(20):
    answer = images.get_image_by_id(image_id)
    if answer.data.size_bytes:
        break
changed = answer.data
changed.name = "renamed"
wait(images.update_image_by_id(image_id, changed, if_match=vmm.ApiClient.get_etag(changed)))
named = images.list_images(_filter="name eq 'renamed'")
stale = None
try:
    images.update_image_by_id(image_id, changed, if_match="stale")
except vmm.rest.ApiException as error:
    stale = error.status
wait(images.delete_image_by_id(image_id))
empty = images.list_images(_filter="name eq 'renamed'")

print(json.dumps({
    "object_size": head["ContentLength"],
    "objects": [one["Key"] for one in listed["Contents"]],
    "small": small["ResponseMetadata"]["HTTPStatusCode"],
    "good": str(good.status), "bad": str(bad.status), "reason": bad.error_messages[0].message,
    "size": answer.data.size_bytes, "source": type(answer.data.source).__name__,
    "named": [one.name for one in named.data], "stale": stale, "empty": empty.data,
}))
