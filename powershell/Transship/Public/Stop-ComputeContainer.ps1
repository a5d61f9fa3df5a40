function Stop-ComputeContainer {
    <#
    .SYNOPSIS
    Ends containers of this host, whoever started them.

    .DESCRIPTION
    Goes through the manager that made a container, and when that does not answer, through the Host Compute Service or
    containerd below it. One that has ended already is a success. A container that could not be ended is an error, and
    the others go on.

    On Windows the cmdlet works without the transship command line too, straight through computecore.dll or
    vmcompute.dll: by itself where the command line is not found, and always with -Direct. Run it elevated then.

    The direct way was compiled, and run against stand-ins for the two libraries on Linux; it was not run on a Windows
    host.

    .PARAMETER Id
    Id, start of an id, or name; NAMESPACE/ID for one namespace of containerd.

    .PARAMETER Namespace
    The namespace of containerd that the id is in; from the pipeline.

    .PARAMETER TimeoutSeconds
    How long a container may take to end by itself.

    .PARAMETER Force
    Kills what has not ended by then; with -TimeoutSeconds 0 at once.

    .PARAMETER Direct
    Goes through the Host Compute Service only, without the transship command line (Windows).

    .PARAMETER PassThru
    Gives what became of each container.

    .EXAMPLE
    Stop-ComputeContainer web

    Asks one to end, after asking you.

    .EXAMPLE
    Get-ComputeContainer | Where-Object -Property MemoryBytes -GT 2GB | Stop-ComputeContainer -Force -Confirm:$false

    Ends every container that uses more than 2 GB.

    .EXAMPLE
    Get-ComputeContainer -Direct | Stop-ComputeContainer -Direct -Force -TimeoutSeconds 0 -Confirm:$false

    Kills every container of a Windows host, with nothing but PowerShell.

    .INPUTS
    Strings, and objects with a property Id, as Get-ComputeContainer gives them.

    .OUTPUTS
    With -PassThru Transship.ContainerOutcome: Asked, Outcome, Id, Name, Manager, Via, ExitCode, Attempts, Error.

    .LINK
    about_Transship
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    [OutputType('Transship.ContainerOutcome')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [string[]] $Id,

        [Parameter(ValueFromPipelineByPropertyName)]
        [AllowNull()]
        [AllowEmptyString()]
        [string] $Namespace,

        [ValidateRange(0, 86400)]
        [int] $TimeoutSeconds = 10,

        [switch] $Force,

        [switch] $Direct,

        [switch] $PassThru
    )

    process {
        foreach ($container in $Id) {
            $asked = $container
            if ($Namespace) { $asked = "$Namespace/$container" }
            # Where PowerShell may not ask, ShouldProcess fails and the next statement runs: that must not be the work.
            $isAllowed = $false
            $isAllowed = $PSCmdlet.ShouldProcess($asked, 'Stop container')
            if (-not $isAllowed) { continue }
            if (Test-Direct -Direct:$Direct) {
                $ended = Stop-HostComputeContainer -Id $container -TimeoutSeconds $TimeoutSeconds -Force:$Force
                if ($ended.Failure) { $PSCmdlet.WriteError($ended.Failure) }
                if ($PassThru) { $ended.Object }
                continue
            }
            $arguments = @('containers', 'stop', $asked, '--yes', '--timeout', "$TimeoutSeconds")
            if ($Force -and $TimeoutSeconds -eq 0) { $arguments = @('containers', 'kill', $asked, '--yes') }
            elseif ($Force) { $arguments += '--kill' }
            # 2 to 4 tell what became of a container: ambiguous, unknown, still running.
            $answer = Invoke-Transship -ArgumentList $arguments -Expected 0, 2, 3, 4 -Target $container -Activity "Stopping $asked"
            if ($answer.Failure) {
                $PSCmdlet.WriteError($answer.Failure)
                continue
            }
            foreach ($row in $answer.Document.containers) {
                $outcome = New-TransshipObject -TypeName Transship.ContainerOutcome -Document $row
                if ($outcome.Outcome -eq 'failed') {
                    $failure = $outcome.Error
                    $PSCmdlet.WriteError((New-TransshipError -Code $failure.code -ExitCode $outcome.ExitCode -Message $failure.message -Suggestion $failure.suggestions -Target $container))
                }
                if ($PassThru) { $outcome }
            }
        }
    }
}
