package sqs

import "container/heap"

// messageHeap is a heap of messages that knows where each one is, so that any can be removed.
type messageHeap struct {
	items []*message
	less  func(a, b *message) bool
	index func(*message) *int
}

func newHeap(less func(a, b *message) bool, index func(*message) *int) *messageHeap {
	return &messageHeap{less: less, index: index}
}

// hiddenHeap has the message that becomes visible next on top.
func hiddenHeap() *messageHeap {
	return newHeap(func(a, b *message) bool { return a.visibleAt.Before(b.visibleAt) }, func(m *message) *int { return &m.hidden })
}

// orderHeap has the message that was sent to the queue first on top. No message is in both this heap and hiddenHeap.
func orderHeap() *messageHeap {
	return newHeap(func(a, b *message) bool { return a.order < b.order }, func(m *message) *int { return &m.hidden })
}

// expiryHeap has the message that was sent first on top: all messages of a queue live equally long.
func expiryHeap() *messageHeap {
	return newHeap(func(a, b *message) bool { return a.Sent < b.Sent }, func(m *message) *int { return &m.expiry })
}

func (h *messageHeap) add(m *message)    { heap.Push(h, m) }
func (h *messageHeap) remove(m *message) { heap.Remove(h, *h.index(m)) }
func (h *messageHeap) moved(m *message)  { heap.Fix(h, *h.index(m)) }

// top is the first message, or nil.
func (h *messageHeap) top() *message {
	if len(h.items) == 0 {
		return nil
	}
	return h.items[0]
}

// Len, Less, Swap, Push and Pop are heap.Interface.
func (h *messageHeap) Len() int           { return len(h.items) }
func (h *messageHeap) Less(i, j int) bool { return h.less(h.items[i], h.items[j]) }

func (h *messageHeap) Swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	*h.index(h.items[i]), *h.index(h.items[j]) = i, j
}

func (h *messageHeap) Push(x any) {
	m := x.(*message)
	*h.index(m) = len(h.items)
	h.items = append(h.items, m)
}

func (h *messageHeap) Pop() any {
	last := len(h.items) - 1
	m := h.items[last]
	h.items[last] = nil
	h.items = h.items[:last]
	return m
}
