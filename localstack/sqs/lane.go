package sqs

import (
	"container/heap"
	"container/list"
	"time"
)

// state is where a message of a queue is.
type state uint8

const (
	isDetached state = iota // on its way, in the midst of an operation
	isFresh                 // visible, and never hidden: in its lane's list
	isReturned              // visible again: in its lane's heap
	isDelayed               // hidden since it was sent
	isInFlight              // hidden since it was received
)

func (s state) visible() bool { return s == isFresh || s == isReturned }

// lane is the messages with one MessageGroupId, or with none, in the order in which they were sent. A message that becomes
// visible again has its old place.
type lane struct {
	group    string
	fresh    *list.List // of *message
	returned *messageHeap
	inFlight int
	in       *laneHeap // nil while the lane has nothing to receive
	index    int
}

// head is the next message of a lane, or nil.
func (l *lane) head() *message {
	again := l.returned.top()
	if e := l.fresh.Front(); e != nil {
		if m := e.Value.(*message); again == nil || m.order < again.order {
			return m
		}
	}
	return again
}

func (q *Queue) lane(group string) *lane {
	if group == "" {
		return q.plain
	}
	l, ok := q.lanes[group]
	if !ok {
		l = newLane(group)
		q.lanes[group] = l
	}
	return l
}

func newLane(group string) *lane {
	return &lane{group: group, fresh: list.New(), returned: orderHeap()}
}

// crowdedAt is how many messages of a group are in flight at least before it can be a noisy neighbour.
const crowdedAt = 30

// settle puts a lane where it belongs after a change. A lane of a FIFO queue with a message in flight is locked.
func (q *Queue) settle(l *lane) {
	var belongs *laneHeap
	switch {
	case l.head() == nil:
		if l.inFlight == 0 {
			delete(q.lanes, l.group)
		}
	case q.config.fifo && l.inFlight > 0:
	case l.group != "" && l.inFlight >= crowdedAt:
		belongs = &q.crowded
	default:
		belongs = &q.ready
	}
	if l.in == belongs {
		if belongs != nil && len(*belongs) > 1 {
			heap.Fix(belongs, l.index)
		}
		return
	}
	if l.in != nil {
		heap.Remove(l.in, l.index)
	}
	if l.in = belongs; belongs != nil {
		heap.Push(belongs, l)
	}
}

// next is the lane whose head is to be received next, or nil: the oldest message, except that those of noisy neighbours wait
// behind all others. A noisy neighbour is a group with at least 30 messages in flight that are more than 10 % of all.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html.
func (q *Queue) next() *lane {
	next := q.ready.top()
	for _, l := range q.crowded {
		if noisy := 10*l.inFlight > q.inFlight; !noisy && (next == nil || l.head().order < next.head().order) {
			next = l
		}
	}
	if next == nil {
		return q.crowded.top()
	}
	return next
}

// append makes a message visible for the first time.
func (q *Queue) append(m *message) {
	l := q.lane(m.Group)
	m.state, m.elem = isFresh, l.fresh.PushBack(m)
	q.visible++
	q.settle(l)
}

// giveBack makes a detached message visible, at its place.
func (q *Queue) giveBack(m *message) {
	l := q.lane(m.Group)
	m.state = isReturned
	l.returned.add(m)
	q.visible++
	q.settle(l)
}

// detach takes a message out of its lane or out of hidden. The caller settles the lane.
func (q *Queue) detach(m *message) *lane {
	l := q.lane(m.Group)
	switch m.state {
	case isFresh:
		l.fresh.Remove(m.elem)
		m.elem = nil
		q.visible--
	case isReturned:
		l.returned.remove(m)
		q.visible--
	case isInFlight:
		q.hidden.remove(m)
		l.inFlight--
		q.inFlight--
	case isDelayed:
		q.hidden.remove(m)
	}
	m.state = isDetached
	return l
}

// hide takes a detached message in flight.
func (q *Queue) hide(m *message, until time.Time) {
	l := q.lane(m.Group)
	m.state, m.visibleAt = isInFlight, until
	q.hidden.add(m)
	l.inFlight++
	q.inFlight++
	q.settle(l)
}

// show makes a hidden message visible.
func (q *Queue) show(m *message) {
	q.detach(m)
	q.giveBack(m)
}

// remove forgets a message, wherever it is.
func (q *Queue) remove(m *message) {
	q.settle(q.detach(m))
	q.expiries.remove(m)
	delete(q.byID, m.ID)
}

// laneHeap has the lane with the oldest message on top.
type laneHeap []*lane

func (h laneHeap) top() *lane {
	if len(h) == 0 {
		return nil
	}
	return h[0]
}

// Len, Less, Swap, Push and Pop are heap.Interface.
func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].head().order < h[j].head().order }

func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *laneHeap) Push(x any) {
	l := x.(*lane)
	l.index = len(*h)
	*h = append(*h, l)
}

func (h *laneHeap) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return l
}
