"""Plan a sweep: its trials, and the env steps, memory and time that they need.

In the order in which a plan uses them:

plan.py               configs, files and flags → a Plan of Trials, or every problem at once
agents.py             files, patterns, dicts and a search space → agent configs
drawing.py            a search space → its base config and the configs that are drawn
advice.py             warnings about the configs
forecast.py           a Plan → a Forecast: the plan, an estimate for each trial, and warnings
measure.py            starts the child process probe.py, which plays the environment and times a minibatch
measurement_cache.py  stores measurements for the next sweep, by the key of measurement_key.py
own_files.py          whether the files of a user's own class have changed since
estimate.py           a measurement → a trial's env steps, updates, memory and time
submission.py         a Plan → a sweep and its runs in the database
"""
