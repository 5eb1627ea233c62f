"""What a sweep would run and take, before anything of it runs.

In the order in which a plan goes through them:

plan.py               configs, files and flags → a Plan of Trials, or every problem at once
advice.py             what a user should know about the configs
forecast.py           a Plan → a Forecast: the plan, an estimate for each trial, and warnings
measure.py            starts the child process probe.py, which plays the environment and times a minibatch
measurement_cache.py  keeps measurements for the next sweep, by the key of measurement_key.py
estimate.py           a measurement → what a trial takes: env steps, updates, memory, time
submission.py         a Plan → a sweep and its runs in the database
"""
