package auth

// ErrorCodes are all codes of the error page.
var ErrorCodes = errorCodes
