"""FastPPO and FastMaskablePPO: PPO and MaskablePPO with the same results in less time. Start to read at ppo.py.

ppo.py                the algorithms: collect rollouts and update the policy as stock does; say which models they cover

Rollout:
legal.py              asks the environments for their legal actions, as indices
actor.py              one forward pass a step; the distribution draws an action
rollout.py            the buffers, one with the legal actions of every step; advantages.py

Action distributions: heads.py says what the engine needs of one, and each is one file:
categorical.py        Discrete, MultiDiscrete and MultiBinary; its compiled loops are in categorical_loops.py
gaussian.py           Box

Update, on the CPU in update.py, on a GPU in dense.py:
samples.py            the rollout, laid out for minibatches
networks.py           a policy taken apart into towers.py (layers, forward and backward) and the action head
objective.py          PPO's settings and what is logged; loss.py computes the loss and its derivatives
adam.py               the optimizer's state; optimizer_step.py takes a step

compiled.py           how the loops of the distributions, loss, optimizer_step and advantages are compiled
denormals.py          keeps numbers too small for the processor's fast paths out
"""
