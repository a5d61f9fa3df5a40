# The containers of a Windows host straight from its Host Compute Service, without the command line.
$script:ContainersQuery = '{"Types":["Container"]}'
$script:NumbersQuery = '{"PropertyTypes":["Statistics","ProcessList"]}'
$script:ListMilliseconds = 3500
$script:NumbersMilliseconds = 1500
$script:EndMilliseconds = 10000
$script:ComputeStates = @{
    Configured = 'created'; Created = 'created'; Initialized = 'created'
    Paused = 'paused'; Pausing = 'paused'; Saved = 'paused'; SavedAsTemplate = 'paused'
    Restarting = 'restarting'; Running = 'running'; Stopping = 'stopping'
    Stopped = 'stopped'; Exited = 'stopped'; Dead = 'stopped'; Removing = 'stopped'
}

function Open-HostCompute {
    # The service, or an ErrorRecord where the host has none.
    [CmdletBinding()]
    param()

    if (-not ('Transship.HostCompute' -as [type])) {
        Add-Type -TypeDefinition (Get-Content -LiteralPath (Join-Path -Path $script:ModuleRoot -ChildPath 'HostCompute.cs') -Raw)
    }
    $service = [Transship.HostCompute]::Open()
    if ($service) { return $service }
    $advice = @('Add the feature on Windows: Install-WindowsFeature Containers', 'Elsewhere install transship, which asks Docker, Podman and containerd.')
    New-TransshipError -Code ENGINE_UNAVAILABLE -ExitCode 4 -Suggestion $advice -Message 'This system has no Host Compute Service: neither computecore.dll nor vmcompute.dll can be loaded.'
}

function Get-ResultMeaning {
    # What an HRESULT means for the work: Kind, and for a failure the code, why, and what to do.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([Parameter(Mandatory)] [uint32] $Result)

    $facility = $Result -shr 16
    $number = $Result -band 0xffff
    # 0xC037: vmcompute.dll. 0x8037: computecore.dll.
    $isCompute = $facility -eq 0xc037 -or $facility -eq 0x8037
    # Success; but these two are failures that some calls give bare.
    if (-not ($Result -shr 31) -and $Result -notin 0x5, 0x32) { return @{ Kind = 'done' } }
    if ($isCompute) {
        switch ($number) {
            0x0103 { return @{ Kind = 'pending' } }
            0x0117 { return @{ Kind = 'pending' } }
            0x010e { return @{ Kind = 'not-found' } }
            0x0110 { return @{ Kind = 'already-stopped' } }
        }
    }
    $elevate = 'Run in an elevated session (Run as administrator).'
    $restart = 'Look into the event log Microsoft-Windows-Hyper-V-Compute, and restart the service vmcompute.'
    $start = 'Run: Start-Service vmcompute'
    $meaning = $null
    if ($isCompute) {
        $meaning = switch ($number) {
            0x0105 { 'ENGINE_UNAVAILABLE', 'the state does not allow it', 'List the containers again.' }
            0x0106 { 'ENGINE_UNAVAILABLE', 'it ended unexpectedly', $restart }
            0x0109 { 'TIMED_OUT', 'the guest does not answer', $restart }
            0x010d { 'INTERNAL', 'the JSON document is not valid', 'Report this.' }
            0x0118 { 'TIMED_OUT', 'the operation takes too long', $restart }
            0x011b { 'NO_ACCESS', 'access is denied', $elevate }
        }
    }
    elseif ($facility -eq 0x8007 -or $facility -eq 0) {
        $meaning = switch ($number) {
            0x0005 { 'NO_ACCESS', 'access is denied', $elevate }
            0x0032 { 'FORMAT_UNSUPPORTED', 'this Windows does not support it', 'Use a newer Windows.' }
            0x0424 { 'ENGINE_UNAVAILABLE', 'the service is not installed', 'Add the Containers feature.' }
            0x0426 { 'ENGINE_UNAVAILABLE', 'the service is not started', $start }
            0x0522 { 'NO_ACCESS', 'a privilege is not held', $elevate }
            0x06ba { 'ENGINE_UNAVAILABLE', 'the service does not answer', $start }
        }
    }
    if (-not $meaning) { $meaning = 'ENGINE_UNAVAILABLE', '', $restart }
    $kind = 'failed'
    if ($isCompute -and $number -eq 0x0118) { $kind = 'timed-out' }
    @{ Kind = $kind; Code = $meaning[0]; Why = $meaning[1]; Suggestion = $meaning[2] }
}

function New-ResultError {
    # The ErrorRecord for a call that failed.
    [CmdletBinding()]
    [OutputType([System.Management.Automation.ErrorRecord])]
    param(
        [Parameter(Mandatory)]
        [object] $Answer,

        [Parameter(Mandatory)]
        [string] $What,

        [object] $Target
    )

    $meaning = Get-ResultMeaning -Result $Answer.Result
    if (-not $meaning.ContainsKey('Code')) { $meaning = @{ Code = 'ENGINE_UNAVAILABLE'; Why = ''; Suggestion = 'List the containers again.' } }
    $why = 'Windows says 0x{0:x8}' -f $Answer.Result
    if ($meaning.Why) { $why += ": $($meaning.Why)" }
    if ($Answer.Document) { $why += ". $($Answer.Document)" }
    New-TransshipError -Code $meaning.Code -ExitCode 4 -Message "$What $why." -Suggestion $meaning.Suggestion -Target $Target
}

function ConvertFrom-SystemList {
    # The systems of an enumeration's answer. Nothing at all means that there is none. Throws for what the API does not
    # promise.
    [CmdletBinding()]
    [OutputType([psobject])]
    param([AllowNull()] [AllowEmptyString()] [string] $Document)

    if (-not $Document -or -not $Document.Trim()) { return }
    # Outside of an array, one object and an array of one look the same once they are parsed.
    if (-not $Document.Trim().StartsWith('[')) { throw 'The Host Compute Service answered something else than a list.' }
    # In Windows PowerShell the array comes as one object.
    $systems = @(ConvertFrom-TransshipJson -Text $Document | ForEach-Object { $_ })
    foreach ($system in $systems) {
        if (-not (Get-DocumentValue $system Id)) { throw 'The Host Compute Service answered a system without an Id.' }
        $system
    }
}

function ConvertFrom-ComputeSystem {
    # One system, with its numbers where they were asked for, as the object that Get-ComputeContainer gives.
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [Parameter(Mandatory)]
        [object] $System,

        [AllowNull()]
        [object] $Numbers
    )

    $statistics = Get-DocumentValue $Numbers Statistics
    $ticks = Get-DocumentValue (Get-DocumentValue $statistics Processor) TotalRuntime100ns
    $seconds = $null
    if ($null -ne $ticks) { $seconds = $ticks / 1e7 }
    $first = @(Get-DocumentValue $Numbers ProcessList) | Where-Object { $_ } |
        Sort-Object -Property @{ Expression = { ConvertFrom-IsoTime (Get-DocumentValue $_ CreateTimestamp) } } | Select-Object -First 1
    $name = Get-DocumentValue $System Name
    if (-not $name) { $name = $System.Id }
    $os = Get-DocumentValue $System RuntimeOsType
    if (-not $os) { $os = 'windows' }
    New-TransshipObject -TypeName Transship.Container -Property @{
        Id          = $System.Id
        Name        = $name
        # As it is: only its creator knows what an owner means.
        Manager     = Get-DocumentValue $System Owner
        State       = Get-ComputeState -System $System
        Os          = $os.ToLowerInvariant()
        Pid         = Get-DocumentValue $first ProcessId
        MemoryBytes = Get-DocumentValue (Get-DocumentValue $statistics Memory) MemoryUsageCommitBytes
        CpuSeconds  = $seconds
        StartedAt   = ConvertFrom-IsoTime (Get-DocumentValue $statistics ContainerStartTime)
        SeenBy      = @('host-compute-service')
    }
}

function Get-ComputeState {
    # The shared word for a state; unknown for one that is new to us.
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory)] [object] $System)

    if (Get-DocumentValue $System Stopped) { return 'stopped' }
    $state = Get-DocumentValue $System State
    if ($state -and $script:ComputeStates.ContainsKey($state)) { return $script:ComputeStates[$state] }
    'unknown'
}

function Get-HostComputeSystem {
    # Every container's system as the service lists it, or an ErrorRecord.
    [CmdletBinding()]
    param([Parameter(Mandatory)] [object] $Service)

    $answer = $Service.Enumerate($script:ContainersQuery, $script:ListMilliseconds)
    if ((Get-ResultMeaning -Result $answer.Result).Kind -ne 'done') {
        return New-ResultError -Answer $answer -What 'The Host Compute Service refused to list the containers.'
    }
    try { ConvertFrom-SystemList -Document $answer.Document }
    catch { New-TransshipError -Code MANIFEST_INVALID -ExitCode 3 -Message $_.Exception.Message -Suggestion 'Report this.' }
}

function Get-HostComputeContainer {
    # The containers that run, with -All the others too, or an ErrorRecord.
    [CmdletBinding()]
    param([switch] $All)

    $service = Open-HostCompute
    if ($service -is [System.Management.Automation.ErrorRecord]) { return $service }
    foreach ($system in @(Get-HostComputeSystem -Service $service)) {
        if ($system -is [System.Management.Automation.ErrorRecord]) { return $system }
        $state = Get-ComputeState -System $system
        if ($state -eq 'stopped' -and -not $All) { continue }
        $numbers = $null
        if ($state -eq 'running') {
            # Numbers are a nicety: what goes wrong with them must not cost the list.
            $answer = $service.Properties($system.Id, $script:NumbersQuery, $script:NumbersMilliseconds)
            if ((Get-ResultMeaning -Result $answer.Result).Kind -eq 'done' -and $answer.Document) {
                try { $numbers = ConvertFrom-TransshipJson -Text $answer.Document } catch { Write-Debug -Message $_ }
            }
        }
        ConvertFrom-ComputeSystem -System $system -Numbers $numbers
    }
}

function Stop-HostComputeContainer {
    # Ends one container: asks it to, and with -Force kills what has not ended by then. Gives an outcome, whose Failure
    # is an ErrorRecord or $null.
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [Parameter(Mandatory)]
        [string] $Id,

        [int] $TimeoutSeconds,

        [switch] $Force
    )

    $service = Open-HostCompute
    if ($service -is [System.Management.Automation.ErrorRecord]) { return New-StopOutcome -Asked $Id -Failure $service }
    $systems = @(Get-HostComputeSystem -Service $service)
    if ($systems.Count -gt 0 -and $systems[0] -is [System.Management.Automation.ErrorRecord]) { return New-StopOutcome -Asked $Id -Failure $systems[0] }
    $matching = @($systems | Where-Object { $_.Id -ceq $Id -or (Get-DocumentValue $_ Name) -ceq $Id })
    if ($matching.Count -eq 0) { $matching = @($systems | Where-Object { $_.Id.StartsWith($Id, [StringComparison]::Ordinal) }) }
    if ($matching.Count -eq 0) {
        return New-StopOutcome -Asked $Id -Failure (New-TransshipError -Code NOT_FOUND -Message "There is no container '$Id'." -Suggestion 'List the containers: Get-ComputeContainer -All' -Target $Id)
    }
    if ($matching.Count -gt 1) {
        $which = ($matching | ForEach-Object { $_.Id }) -join ', '
        return New-StopOutcome -Asked $Id -Failure (New-TransshipError -Code AMBIGUOUS_SELECTION -ExitCode 2 -Message "'$Id' means $($matching.Count) containers." -Suggestion $which -Target $Id)
    }
    $system = $matching[0]
    if ((Get-ComputeState -System $system) -eq 'stopped') { return New-StopOutcome -Asked $Id -System $system -Outcome already-stopped }

    if ($TimeoutSeconds -gt 0 -or -not $Force) {
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        $answer = $service.ShutDown($system.Id, $TimeoutSeconds * 1000)
        $kind = (Get-ResultMeaning -Result $answer.Result).Kind
        if ($kind -in 'already-stopped', 'not-found') { return New-StopOutcome -Asked $Id -System $system -Outcome already-stopped }
        if ($kind -eq 'failed' -and -not $Force) {
            return New-StopOutcome -Asked $Id -System $system -Failure (New-ResultError -Answer $answer -What "The Host Compute Service refused to shut down container $($system.Id)." -Target $Id)
        }
        $rest = $TimeoutSeconds * 1000 - $watch.ElapsedMilliseconds
        if ($kind -ne 'failed' -and (Wait-HostComputeEnd -Service $service -Id $system.Id -Milliseconds $rest)) {
            return New-StopOutcome -Asked $Id -System $system -Outcome stopped
        }
        if (-not $Force) {
            return New-StopOutcome -Asked $Id -System $system -Failure (New-TransshipError -Code TIMED_OUT -Message "Container $($system.Id) still runs after $TimeoutSeconds seconds." -Suggestion 'Kill it: Stop-ComputeContainer -Force' -Target $Id)
        }
    }
    $answer = $service.Terminate($system.Id, $script:EndMilliseconds)
    $kind = (Get-ResultMeaning -Result $answer.Result).Kind
    if ($kind -in 'already-stopped', 'not-found') { return New-StopOutcome -Asked $Id -System $system -Outcome already-stopped }
    if ($kind -eq 'failed') {
        return New-StopOutcome -Asked $Id -System $system -Failure (New-ResultError -Answer $answer -What "The Host Compute Service refused to end container $($system.Id)." -Target $Id)
    }
    if (Wait-HostComputeEnd -Service $service -Id $system.Id -Milliseconds $script:EndMilliseconds) { return New-StopOutcome -Asked $Id -System $system -Outcome killed }
    New-StopOutcome -Asked $Id -System $system -Failure (New-TransshipError -Code TIMED_OUT -Message "Container $($system.Id) still runs." -Target $Id)
}

function Wait-HostComputeEnd {
    # Polls, since an answer of 'pending' brings no other word of the end.
    [CmdletBinding()]
    [OutputType([bool])]
    param(
        [Parameter(Mandatory)]
        [object] $Service,

        [Parameter(Mandatory)]
        [string] $Id,

        [long] $Milliseconds
    )

    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $wait = 20
    while ($true) {
        $systems = @(Get-HostComputeSystem -Service $Service)
        $isKnown = $systems.Count -eq 0 -or $systems[0] -isnot [System.Management.Automation.ErrorRecord]
        if ($isKnown) {
            $system = $systems | Where-Object { $_.Id -ceq $Id } | Select-Object -First 1
            if (-not $system -or (Get-ComputeState -System $system) -eq 'stopped') { return $true }
        }
        if ($watch.ElapsedMilliseconds + $wait -gt $Milliseconds) { return $false }
        Start-Sleep -Milliseconds $wait
        $wait = [math]::Min($wait * 2, 500)
    }
}

function New-StopOutcome {
    # What became of a container that was to be ended.
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [string] $Asked,

        [object] $System,

        [string] $Outcome = 'failed',

        [object] $Failure
    )

    $name = Get-DocumentValue $System Name
    if (-not $name) { $name = Get-DocumentValue $System Id }
    $object = New-TransshipObject -TypeName Transship.ContainerOutcome -Property @{
        Asked = $Asked; Outcome = $Outcome; Id = Get-DocumentValue $System Id; Name = $name; Manager = Get-DocumentValue $System Owner
        Via = 'host-compute-service'; Attempts = @(); ExitCode = 0
    }
    New-Object -TypeName psobject -Property @{ Object = $object; Failure = $Failure }
}
