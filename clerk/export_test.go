package clerk

// Forget makes b see token as if for the first time.
func Forget(b *Backend, token string) {
	b.remembered.mu.Lock()
	defer b.remembered.mu.Unlock()
	delete(b.remembered.young, token)
	delete(b.remembered.old, token)
}
