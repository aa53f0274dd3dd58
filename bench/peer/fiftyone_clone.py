"""
Times FiftyOne's `dataset.clone()`, for bench/fiftyone.ts. Prints one line of JSON; what it does meanwhile goes to stderr.

    python -m venv /tmp/fiftyone && /tmp/fiftyone/bin/pip install fiftyone==1.22.1
    FIFTYONE_DATABASE_URI=mongodb://127.0.0.1:27017 FIFTYONE_DO_NOT_TRACK=true \
        /tmp/fiftyone/bin/python fiftyone_clone.py --coco small.json --samples 100000 --runs 3

A sample has the annotations of one image of the COCO file, over and over: a `Detection` for each with label, box and, as
an attribute, the polygon as one flat list. FiftyOne's own form of a polygon, `Polyline.points`, is a list of lists and half
as large again: this is the form that is cheaper for it to copy. The samples are written past FiftyOne, because its
`add_samples()` takes minutes for a million, but into a dataset that it has made from the first of them, and the last one
is read by it before anything is measured.

Every clone is read as well, and deleted before the next is made.
"""

import argparse
import copy
import itertools
import json
import random
import re
import sys
import time

import bson
import fiftyone as fo
from bson.raw_bson import RawBSONDocument

BATCH = 2_000
NAME = "training-tasks-bench"


def main():
    options = arguments()
    if NAME in fo.list_datasets():
        fo.delete_dataset(NAME)
    with open(options.coco, encoding="utf8") as file:
        images = annotated_images(json.load(file))
    dataset = fo.Dataset(NAME, persistent=True)
    began = time.perf_counter()
    sizes = fill(dataset, images, options.samples)
    say(f"{options.samples} samples written in {time.perf_counter() - began:.1f} s")
    forget_peak()
    seconds = [clone(dataset, run) for run in range(options.runs)]
    print(
        json.dumps(
            {
                "version": fo.__version__,
                "samples": options.samples,
                "seconds": seconds,
                "bytesPerSample": sizes / options.samples,
                "peakRssBytes": peak_rss(),
            }
        )
    )
    fo.delete_dataset(NAME)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--coco", required=True)
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--runs", type=int, default=3)
    return parser.parse_args()


def annotated_images(data_set):
    """(image, its annotations) for every image of the file, in its order."""
    names = {category["id"]: category["name"] for category in data_set["categories"]}
    images = {image["id"]: (image, []) for image in data_set["images"]}
    for annotation in data_set["annotations"]:
        image, annotations = images[annotation["image_id"]]
        annotations.append(detection(image, annotation, names))
    return list(images.values())


def detection(image, annotation, names):
    width, height = image["width"], image["height"]
    left, top, w, h = annotation["bbox"]
    polygons = annotation.get("segmentation") or [[]]
    return fo.Detection(
        label=names[annotation["category_id"]],
        bounding_box=[left / width, top / height, w / width, h / height],
        segmentation=[float(number) for number in itertools.chain.from_iterable(polygons)],
    )


def fill(dataset, images, count):
    """Returns the bytes of all samples as BSON."""
    # FiftyOne declares the fields, also the one that is not its own, and makes the indexes.
    dataset.add_sample(sample(*next(image for image in images if image[1])), dynamic=True)
    [template] = dataset._sample_collection.find()
    dataset._sample_collection.delete_many({})
    documents = [document(template, image, detections) for image, detections in images]
    size = 0
    for first in range(0, count, BATCH):
        batch = []
        for at in range(first, min(first + BATCH, count)):
            raw = bson.encode(numbered(documents[at % len(documents)], at))
            size += len(raw)
            batch.append(RawBSONDocument(raw))
        dataset._sample_collection.insert_many(batch, ordered=False)
        if first % 100_000 == 0:
            say(f"{first} samples written")
    check(dataset, count)
    return size


def sample(image, detections):
    return fo.Sample(filepath=f"/images/{image['file_name']}", annotations=fo.Detections(detections=detections))


def document(template, image, detections):
    """A sample as FiftyOne stores it, made from one that it has stored."""
    made = copy.deepcopy(template)
    made["annotations"]["detections"] = [one.to_dict() for one in detections]
    return made


def numbered(stored, at):
    """The same annotations as another sample: ids, name and place in a shuffle are its own."""
    detections = [{**one, "_id": bson.ObjectId()} for one in stored["annotations"]["detections"]]
    return {
        **stored,
        "_id": bson.ObjectId(),
        "filepath": re.sub(r"[^/]+$", f"image-{at:07d}.jpg", stored["filepath"]),
        "_rand": random.random(),
        "annotations": {**stored["annotations"], "detections": detections},
    }


def clone(dataset, run):
    name = f"{NAME}-clone"
    if name in fo.list_datasets():
        fo.delete_dataset(name)
    # What was written before is on disk: nobody pays for it.
    dataset._sample_collection.database.client.admin.command("fsync")
    began = time.perf_counter()
    cloned = dataset.clone(name, persistent=True)
    seconds = time.perf_counter() - began
    say(f"clone {run + 1}: {seconds:.2f} s")
    check(cloned, len(dataset))
    fo.delete_dataset(name)
    return seconds


def check(dataset, count):
    """That FiftyOne takes it for a dataset of so many samples, with annotations that it can read."""
    last = dataset.skip(count - 1).first()
    read = len(dataset), all(len(one.bounding_box) == 4 for one in last.annotations.detections)
    if read != (count, True):
        raise RuntimeError(f"{dataset.name} is no dataset of {count} samples")


def forget_peak():
    """From here on the peak is that of the clones; where there is no /proc it is that of all."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        pass


def peak_rss():
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return 1024 * int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])
    except OSError:
        return None


def say(what):
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
