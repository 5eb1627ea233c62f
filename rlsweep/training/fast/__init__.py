"""FastMaskablePPO: sb3-contrib's MaskablePPO with the same results in less time. Start to read at ppo.py.

ppo.py                the algorithm: collects rollouts and updates the policy as stock does; says which models it covers

Rollout:
legal.py              asks the environments for their legal actions, as indices
actor.py              one forward pass a step; sampling.py draws an action from the legal ones
rollout.py            the buffer, with the legal actions of every step; advantages.py

Update, on the CPU in update.py, on a GPU in dense.py:
samples.py            the rollout, laid out for minibatches
networks.py           a policy taken apart into towers.py (layers, forward and backward) and the action head
objective.py          PPO's settings and what is logged; gradients.py computes the loss and its derivatives
adam.py               the optimizer's state; optimizer_step.py takes a step

compiled.py           how the loops of sampling, gradients, optimizer_step and advantages are compiled
denormals.py          keeps numbers too small for the processor's fast paths out
"""
