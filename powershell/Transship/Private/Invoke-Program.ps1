function Invoke-Program {
    # Runs a program to its end, shows what it does, and gives Output, Errors and ExitCode. Its text is UTF-8 whatever
    # the code page of the console is.
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [Parameter(Mandatory)]
        [hashtable] $Start,

        [Parameter(Mandatory)]
        [AllowEmptyString()]
        [string[]] $ArgumentList,

        [string] $Activity,

        [string] $Journal,

        [int] $Total
    )

    $utf8 = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
    $info = New-Object -TypeName System.Diagnostics.ProcessStartInfo
    $info.FileName = $Start.FileName
    $info.Arguments = ConvertTo-ArgumentText -ArgumentList ($Start.Before + $ArgumentList)
    $info.UseShellExecute = $false
    $info.RedirectStandardInput = $true
    $info.RedirectStandardOutput = $true
    $info.RedirectStandardError = $true
    $info.StandardOutputEncoding = $utf8
    $info.StandardErrorEncoding = $utf8
    # In a console it shares ours, so that Ctrl-C reaches it; elsewhere no window may flash up.
    $info.CreateNoWindow = $Host.Name -ne 'ConsoleHost'
    $info.WorkingDirectory = (Get-Location -PSProvider FileSystem).ProviderPath
    $info.EnvironmentVariables['NO_COLOR'] = '1'

    $progress = @{ Activity = $Activity; Journal = $Journal; Total = $Total; Watch = [System.Diagnostics.Stopwatch]::StartNew() }
    $process = New-Object -TypeName System.Diagnostics.Process
    $process.StartInfo = $info
    $null = $process.Start()
    $hasEnded = $false
    try {
        $process.StandardInput.Close()
        $output = $process.StandardOutput.ReadToEndAsync()
        $errors = $process.StandardError.ReadToEndAsync()
        while (-not $process.WaitForExit(100)) { Show-Progress @progress }
        $process.WaitForExit()
        $hasEnded = $true
        New-Object -TypeName psobject -Property @{
            Output   = $output.GetAwaiter().GetResult()
            Errors   = $errors.GetAwaiter().GetResult()
            ExitCode = $process.ExitCode
        }
    }
    finally {
        # The pipeline was stopped: Ctrl-C, Stop-Job.
        if (-not $hasEnded) { Stop-Program -Process $process }
        if ($Activity) { Write-Progress -Activity $Activity -Completed }
        $process.Dispose()
    }
}

function Stop-Program {
    # Lets the program clean up where the system can ask for it, then ends it.
    [CmdletBinding()]
    param([Parameter(Mandatory)] [System.Diagnostics.Process] $Process)

    if (-not $script:OnWindows) {
        try { & kill -TERM $Process.Id 2>$null } catch { Write-Debug -Message $_ }
    }
    if (-not $Process.WaitForExit(3000)) { $Process.Kill() }
}

function Show-Progress {
    # What a program does, once it takes long enough to be worth a bar.
    [CmdletBinding()]
    param(
        [string] $Activity,

        [string] $Journal,

        [int] $Total,

        [Parameter(Mandatory)]
        [System.Diagnostics.Stopwatch] $Watch
    )

    if (-not $Activity -or $Watch.ElapsedMilliseconds -lt 500) { return }
    $shown = @{ Activity = $Activity; Status = '{0:hh\:mm\:ss}' -f $Watch.Elapsed }
    if ($Journal -and $Total -gt 0) {
        $state = Get-JournalState -Path $Journal
        $shown['Status'] = '{0} of {1} done, {2} failed' -f $state.Done, $Total, $state.Failed
        $shown['PercentComplete'] = [math]::Min(100, [int](100 * ($state.Done + $state.Failed) / $Total))
        if ($state.Running.Count -gt 0) { $shown['CurrentOperation'] = $state.Running -join ', ' }
    }
    Write-Progress @shown
}

function Get-JournalState {
    # How far a batch is, by the lines of its journal. The last line of an item counts; a torn line is passed over.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([Parameter(Mandatory)] [string] $Path)

    $kinds = @{}
    if (Test-Path -LiteralPath $Path -PathType Leaf) {
        foreach ($line in Get-Content -LiteralPath $Path -Encoding UTF8) {
            if ($line -match '^\{"kind":"(begun|done|failed)","key":"[^"]*","id":"((?:[^"\\]|\\.)*)"') {
                $kinds[$Matches[2]] = $Matches[1]
            }
        }
    }
    @{
        Done    = @($kinds.Values | Where-Object { $_ -eq 'done' }).Count
        Failed  = @($kinds.Values | Where-Object { $_ -eq 'failed' }).Count
        Running = @($kinds.Keys | Where-Object { $kinds[$_] -eq 'begun' } | Sort-Object)
    }
}
