from enum import IntEnum

class Turn(IntEnum):
    MORE = 1
    IDLE = 2
    BLOCKED = 3
    FINISHED = 4
    COMMAND = 5
    ENDED = 6
