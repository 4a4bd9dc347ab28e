/** Words of the report, on the page *Check-up*. */
export const report = {
  "report.title": "Report",
  "report.why":
    "A report helps to find a fault: versions, settings without secrets, this check-up and the last 5,000 lines of the log. It is saved on this computer and never sent anywhere.",
  "report.addresses": "Show Bitcoin addresses",
  "report.ips": "Show IP addresses",
  "report.hosts": "Show names of computers and users",
  "report.preview": "Look inside",
  "report.save": "Save report",
  "report.saved": "Saved as {path}",
  "report.bytes": "{bytes} bytes",
} as const;
