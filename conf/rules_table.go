package conf

var rules = []rule{}
var pendingRules = []rule{}
