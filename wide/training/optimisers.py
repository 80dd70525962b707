"""Optimisers of a population: torch's, with one learning rate for all members or with one a member."""

from dataclasses import replace

import torch

OPTIMISERS = {
    "sgd": lambda groups, recipe: torch.optim.SGD(groups, recipe.lr, momentum=recipe.momentum),
    "adam": lambda groups, recipe: torch.optim.Adam(groups, recipe.lr),
    "adamw": lambda groups, recipe: torch.optim.AdamW(groups, recipe.lr),
    "rmsprop": lambda groups, recipe: torch.optim.RMSprop(groups, recipe.lr, momentum=recipe.momentum),
}


def optimiser_of(recipes: list, decayed: list[torch.Tensor], free: list[torch.Tensor]):
    """What steps the parameters, each (members, ...), of members with these recipes.

    decayed, free: parameters with and without weight decay. The recipes differ at most in their learning
    rates and initialisations. It has ``step(factor)``, which multiplies the learning rates; ``zero_grad()``;
    and ``moments()``, ``load(moments)`` for the checkpoint.
    """
    rates = {recipe.lr for recipe in recipes}
    if len(rates) == 1:
        return OneRate(recipes[0], decayed, free)
    return RateAMember(recipes, decayed, free)


class OneRate:
    """torch's optimiser on the stacked parameters: all updates are elementwise, so members do not mix."""

    def __init__(self, recipe, decayed, free):
        groups = [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ]
        self.rate = recipe.lr
        self.optimiser = OPTIMISERS[recipe.optimiser]([group for group in groups if group["params"]], recipe)

    def zero_grad(self):
        self.optimiser.zero_grad()

    def step(self, factor: float):
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * factor
        self.optimiser.step()

    def moments(self) -> dict[str, torch.Tensor]:
        """The optimiser's memory, ``{"number of the parameter/name": tensor}`` on the CPU."""
        return {
            f"{index}/{name}": torch.as_tensor(value).detach().cpu().contiguous()
            for index, entry in self.optimiser.state_dict()["state"].items()
            for name, value in entry.items()
            if value is not None
        }

    def load(self, moments: dict[str, torch.Tensor]):
        state = {}
        for key, value in moments.items():
            index, name = key.split("/")
            state.setdefault(int(index), {})[name] = value
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})


class RateAMember(OneRate):
    """A learning rate for each member.

    The step of sgd, adam, adamw and rmsprop is the learning rate times a displacement that the gradients and
    the moments determine, without the rate. torch's optimiser takes that step with rate 1 on tensors that
    start from 0, so that they hold the displacement itself, and each member adds it times its own rate.
    Weight decay, which
    needs the parameters, is done here: added to the gradient, or for adamw taken off the weights.
    """

    def __init__(self, recipes, decayed, free):
        shared = recipes[0]
        self.decay, self.decoupled = shared.weight_decay, shared.optimiser == "adamw"
        self.parameters, self.decayed = [*decayed, *free], len(decayed)
        self.moves = [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]
        super().__init__(replace(shared, lr=1.0, weight_decay=0.0), self.moves, [])
        rates = [recipe.lr for recipe in recipes]
        self.rates = torch.tensor(rates, dtype=torch.float64, device=self.moves[0].device)

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, factor: float):
        for index, (parameter, move) in enumerate(zip(self.parameters, self.moves, strict=True)):
            move.zero_()
            move.grad = parameter.grad
            if index < self.decayed and self.decay and parameter.grad is not None:
                self._decay(parameter, move, factor)
        super().step(1.0)
        for parameter, move in zip(self.parameters, self.moves, strict=True):
            parameter.addcmul_(self._rates(parameter, factor), move)

    def _decay(self, parameter, move, factor):
        if self.decoupled:
            parameter.mul_(1 - self._rates(parameter, factor) * self.decay)
        else:
            move.grad = parameter.grad.add(parameter, alpha=self.decay)

    def _rates(self, parameter, factor):
        """The members' rates in this step, shaped to multiply a parameter (members, ...)."""
        rates = (self.rates * factor).to(parameter.dtype)
        return rates.view(-1, *[1] * (parameter.dim() - 1))
