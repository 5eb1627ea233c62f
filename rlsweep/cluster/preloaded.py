"""The last module that a local Ray's workers import before they take actors: it reports that they have them all."""

from rlsweep.cluster.ray_internals import report_preloaded

report_preloaded()  # a driver waits for it
