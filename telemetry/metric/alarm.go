package metric

var alarmEntries = []Entry{
	{Name: "alarms_active", Field: "AlarmsActive", Kind: KindGauge, Unit: "alarms", OID: "16.1", Help: "Alarms that are active: what is wrong at present."},
	{Name: "alarms_raised", Field: "AlarmsRaised", Unit: "alarms", OID: "16.2", Help: "Alarms raised."},
}
