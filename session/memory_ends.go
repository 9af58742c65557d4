package session

// endHeap has entries in the order in which they end, as package container/heap keeps it:
// the next to end is the first, so that a sweep looks at nothing that stays.
type endHeap []*memoryEntry

func (h endHeap) Len() int           { return len(h) }
func (h endHeap) Less(i, j int) bool { return h[i].expiry < h[j].expiry }

func (h endHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = int32(i), int32(j) // #nosec G115 -- the entries of a process are fewer
}

func (h *endHeap) Push(x any) {
	e := x.(*memoryEntry)
	e.place = int32(len(*h)) // #nosec G115 -- likewise
	*h = append(*h, e)
}

func (h *endHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}
