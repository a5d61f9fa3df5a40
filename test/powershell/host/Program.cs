using Microsoft.PowerShell;

// What pwsh's own Main does: the command line, the console and the exit code are those of PowerShell.
return UnmanagedPSEntry.Start(args, args.Length);
