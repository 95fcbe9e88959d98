"""What the stand-in vendor keeps: accounts, numbers, campaigns, a journal, and the faults that are armed."""

from django.db import models


class Account(models.Model):
    """A node of the account tree: Corporate > Division > Location. Only Locations hold numbers."""

    key = models.CharField(primary_key=True, max_length=12)
    kind = models.CharField(max_length=10)
    account_id = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    time_zone = models.CharField(max_length=20)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["kind", "account_id"], name="account_id_within_kind"),)

    def __str__(self) -> str:
        return self.key


class Place(models.Model):
    """A postal code of a city: where local numbers belong."""

    country = models.CharField(max_length=2)
    state = models.CharField(max_length=2)
    city = models.CharField(max_length=50)
    rate_center = models.CharField(max_length=50)
    zipcode = models.CharField(max_length=7)

    def __str__(self) -> str:
        return f"{self.city}, {self.state} {self.zipcode}"


class Number(models.Model):
    """One number of the inventory: without a place it is toll-free, without a Location it is public.

    The table is clustered on the ten digits (see the migration), so that an area code is a key range and a
    vanity search is one sequential scan, both already in the order of the answer.
    """

    number = models.CharField(primary_key=True, max_length=10)
    place = models.ForeignKey(Place, models.PROTECT, null=True, db_index=False)
    reserved_for = models.ForeignKey(Account, models.PROTECT, null=True, db_index=False)
    taken = models.BooleanField(default=False)

    class Meta:
        indexes = (
            models.Index(fields=["place", "taken", "reserved_for"], name="number_by_place"),
            models.Index(
                fields=["reserved_for", "taken"],
                condition=models.Q(reserved_for__isnull=False),
                name="number_by_reserved_pool",
            ),
        )

    def __str__(self) -> str:
        return self.number


class Campaign(models.Model):
    """A number that was bought here, with its current values under the vendor's names."""

    number = models.OneToOneField(Number, models.PROTECT)
    account = models.ForeignKey(Account, models.PROTECT)
    values = models.JSONField()

    def __str__(self) -> str:
        return f"{self.number_id} in {self.account_id}"


class Held(models.Model):
    """A number that is in nobody's hands: out of the searches, to be sold or released later (see the fault `hold`)."""

    number = models.OneToOneField(Number, models.PROTECT, primary_key=True)

    def __str__(self) -> str:
        return self.number_id


class JournalEntry(models.Model):
    """One purchase or update that was really committed, with the values that the call sent."""

    at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=10)
    number = models.CharField(max_length=10, db_index=True)
    account = models.CharField(max_length=12)
    campaign_name = models.TextField()
    values = models.JSONField()

    def __str__(self) -> str:
        return f"{self.kind} of {self.number}"


class Fault(models.Model):
    """A fault that is armed: for the next `remaining` matching calls, or for a `rate` of all of them."""

    kind = models.CharField(max_length=30)
    on = models.CharField(max_length=10)
    number = models.CharField(max_length=10, blank=True)
    remaining = models.PositiveIntegerField(null=True)
    rate = models.FloatField(default=1.0)
    seconds = models.FloatField(default=0.0)
    retry_after = models.CharField(max_length=50, blank=True)
    fired = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.kind} on {self.on}"


class State(models.Model):
    """The single row that says the inventory is complete, and how often the sandbox has been reset.

    A purchase that is to commit late belongs to one epoch and is forgotten by the next reset.
    """

    prepared_at = models.DateTimeField(auto_now_add=True)
    numbers = models.PositiveIntegerField()
    epoch = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.numbers} numbers, epoch {self.epoch}"
