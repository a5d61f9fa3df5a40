function Wait-ComputeContainer {
    <#
    .SYNOPSIS
    Waits until containers of this host have ended.

    .DESCRIPTION
    Asks once a second. A container has ended when its manager says so, or does not know it any more; a manager that
    stops answering says neither. Those that still run after -TimeoutSeconds are errors.

    .PARAMETER Id
    Id, start of an id, or name.

    .PARAMETER TimeoutSeconds
    How long to wait; without it, for ever.

    .PARAMETER Direct
    Asks the Host Compute Service only, without the transship command line (Windows).

    .PARAMETER PassThru
    Gives each container as it was when it was last seen.

    .EXAMPLE
    Wait-ComputeContainer build -TimeoutSeconds 600

    Waits ten minutes at most for one container.

    .EXAMPLE
    Get-ComputeContainer -Manager docker | Wait-ComputeContainer; Restart-Service docker

    Restarts a service once nothing of its own runs.

    .INPUTS
    Strings, and objects with a property Id, as Get-ComputeContainer gives them.

    .OUTPUTS
    With -PassThru Transship.Container.

    .LINK
    about_Transship
    #>
    [CmdletBinding()]
    [OutputType('Transship.Container')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [string[]] $Id,

        [ValidateRange(0, 2147483)]
        [int] $TimeoutSeconds,

        [switch] $Direct,

        [switch] $PassThru
    )

    begin { $asked = New-Object -TypeName System.Collections.Generic.List[string] }

    process { $asked.AddRange($Id) }

    end {
        $list = Get-HostContainer -All -Direct:$Direct
        if ($list.Failure) {
            $PSCmdlet.WriteError($list.Failure)
            return
        }
        $answered = $list.Answered
        $waiting = @(foreach ($text in $asked) {
                $found = @(Select-Container -Container $list.Containers -Text $text)
                if ($found.Count -eq 1) { $found[0] }
                elseif ($found.Count -eq 0) {
                    $PSCmdlet.WriteError((New-TransshipError -Code NOT_FOUND -Message "There is no container '$text'." -Suggestion 'List the containers: Get-ComputeContainer -All' -Target $text))
                }
                else {
                    $PSCmdlet.WriteError((New-TransshipError -Code AMBIGUOUS_SELECTION -ExitCode 2 -Message "'$text' means $($found.Count) containers." -Suggestion $found.Id -Target $text))
                }
            })
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        $activity = 'Waiting for containers to end'
        while ($true) {
            $isWhole = -not $list.Failure -and -not @($answered | Where-Object { $_ -notin $list.Answered })
            $waiting = @(foreach ($container in $waiting) {
                    $now = @($list.Containers | Where-Object { $_.Id -ceq $container.Id -and $_.Namespace -eq $container.Namespace })
                    $hasEnded = $isWhole -and $now.Count -eq 0
                    if ($now.Count -gt 0) {
                        $container = $now[0]
                        $hasEnded = $container.State -in 'created', 'stopped'
                    }
                    if (-not $hasEnded) { $container }
                    elseif ($PassThru) { $PSCmdlet.WriteObject($container) }
                })
            if ($waiting.Count -eq 0) { break }
            if ($PSBoundParameters.ContainsKey('TimeoutSeconds') -and $watch.Elapsed.TotalSeconds -ge $TimeoutSeconds) {
                foreach ($container in $waiting) {
                    $PSCmdlet.WriteError((New-TransshipError -Code TIMED_OUT -Message "Container $($container.Name) still runs after $TimeoutSeconds seconds." -Suggestion 'End it: Stop-ComputeContainer -Force' -Target $container.Id))
                }
                break
            }
            Write-Progress -Activity $activity -Status ($waiting.Name -join ', ')
            Start-Sleep -Seconds 1
            $list = Get-HostContainer -All -Direct:$Direct
        }
        Write-Progress -Activity $activity -Completed
    }
}

function Select-Container {
    # The containers that a text means: by whole id or name, else by the start of the id.
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [AllowEmptyCollection()]
        [object[]] $Container,

        [Parameter(Mandatory)]
        [string] $Text
    )

    $whole = @($Container | Where-Object { $_.Id -ceq $Text -or $_.Name -ceq $Text -or "$($_.Namespace)/$($_.Id)" -ceq $Text })
    if ($whole.Count -gt 0) { return $whole }
    $Container | Where-Object { $_.Id.StartsWith($Text, [StringComparison]::Ordinal) }
}
