from shmzmq.shm.consumer cimport Consumer, Mark
from shmzmq.shm.producer cimport Producer
from shmzmq.shm.records cimport RING_BROKEN, RING_EMPTY, RING_HELD, RING_NO_MEMORY, RING_OK
