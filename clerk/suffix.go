package clerk

// CookieSuffix is what the names of an instance's cookies end with: "_" and eight
// characters; "" for a key that is none.
func CookieSuffix(publishableKey string) string {
	i, err := parseKey(publishableKey)
	if err != nil {
		return ""
	}
	return i.suffix
}
