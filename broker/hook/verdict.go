package hook

import "github.com/lunemq/lunemq/broker/mqtt"

// Decision is a deciding hook's answer.
type Decision uint8

// Decisions. The zero value passes the question on to the next plugin.
const (
	Next Decision = iota // no opinion
	OK                   // accepted, the chain stops
	Deny                 // refused, the chain stops
)

// Verdict is what a deciding hook answers.
type Verdict struct {
	Decision Decision
	// Code is what a 5.0 client is told on Deny; 0 = the default of the hook
	// (BadUserNameOrPassword for AuthOnRegister, NotAuthorized else). For 3.x
	// CONNACK, BadUserNameOrPassword stands for return code 4 only when
	// InvalidCredentials is set.
	Code mqtt.ReasonCode
	// InvalidCredentials marks a known user with a wrong password: 3.x clients
	// get return code 4 in place of 5.
	InvalidCredentials bool
	// ReasonString and ServerReference are sent to 5.0 clients that asked for
	// problem information, on Deny.
	ReasonString    string
	ServerReference string
	// Reason is for the operator's log: who refused and why.
	Reason string
	// Nobody: no plugin decided, and the default is to refuse.
	Nobody bool
}

// Accept and Refuse are the two plain verdicts.
var (
	Accept = Verdict{Decision: OK}
	Refuse = Verdict{Decision: Deny}
)
