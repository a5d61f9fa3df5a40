# The Host Compute Service without the command line: the documents that its API promises, and the declarations of its
# libraries against stand-ins (TRANSSHIP_STAND_IN names the library that is to be found).
BeforeDiscovery { $Library = $env:TRANSSHIP_STAND_IN }

BeforeAll {
    . (Join-Path $PSScriptRoot 'Setup.ps1')
    function Read-System([string] $Document) { InModuleScope Transship -Parameters @{ Document = $Document } { param($Document) ConvertFrom-SystemList -Document $Document } }
}

Describe 'Answers of an enumeration' {
    It 'become systems: <Note>' -ForEach @(
        @{ Note = 'nothing at all'; Document = ''; Ids = @() }
        @{ Note = 'an empty list'; Document = '[]'; Ids = @() }
        @{ Note = 'one'; Document = '[{"Id":"a","SystemType":"Container","Owner":"docker","State":"Running"}]'; Ids = @('a') }
        @{ Note = 'two, with spaces around'; Document = ' [ {"Id":"a"} , {"Id":"b","Name":"x"} ] '; Ids = @('a', 'b') }
    ) { @(Read-System $Document).Id | Should -Be $Ids }

    It 'are refused: <Document>' -ForEach @(
        @{ Document = '{"Id":"a"}' }, @{ Document = '[{"Name":"a"}]' }, @{ Document = '[{"Id":' }, @{ Document = '[1]' }, @{ Document = 'null' }
    ) { { Read-System $Document } | Should -Throw }
}

Describe 'A system' {
    BeforeAll {
        function Read-Container([string] $System, [string] $Numbers = '{}') {
            InModuleScope Transship -Parameters @{ System = $System; Numbers = $Numbers } {
                param($System, $Numbers)
                ConvertFrom-ComputeSystem -System (ConvertFrom-TransshipJson $System) -Numbers (ConvertFrom-TransshipJson $Numbers)
            }
        }
    }

    It 'becomes a container, with the owner as it is' {
        $container = Read-Container '{"Id":"4a8f","SystemType":"Container","Name":"","Owner":"docker","RuntimeId":"0","RuntimeOsType":"Windows","State":"Running","Stopped":false}' @'
{"Statistics":{"Timestamp":"2026-11-26T12:00:00Z","ContainerStartTime":"2026-11-26T10:00:00.1234567Z","Uptime100ns":72000000000,
"Memory":{"MemoryUsageCommitBytes":104857600},"Processor":{"TotalRuntime100ns":25000000}},
"ProcessList":[{"ProcessId":77,"CreateTimestamp":"2026-11-26T10:00:05Z"},{"ProcessId":42,"CreateTimestamp":"2026-11-26T10:00:01Z"}]}
'@
        $container.PSObject.TypeNames[0] | Should -Be Transship.Container
        $container.Id, $container.Name, $container.Manager, $container.State, $container.Os | Should -Be '4a8f', '4a8f', 'docker', 'running', 'windows'
        $container.MemoryBytes, $container.CpuSeconds, $container.Pid | Should -Be 104857600, 2.5, 42
        $container.StartedAt.Kind | Should -Be Utc
        $container.StartedAt.ToString('o') | Should -Be '2026-11-26T10:00:00.1234567Z'
    }

    It 'has no numbers where it gives none, and no owner where it has none' {
        $container = Read-Container '{"Id":"a"}'
        $container.Manager, $container.MemoryBytes, $container.Pid, $container.StartedAt | Should -Be $null, $null, $null, $null
        $container.State | Should -Be unknown
    }

    It 'is <Expected> as <System>' -ForEach @(
        @{ System = '{"Id":"a","State":"Created"}'; Expected = 'created' }
        @{ System = '{"Id":"a","State":"SavedAsTemplate"}'; Expected = 'paused' }
        @{ System = '{"Id":"a","State":"Running","Stopped":true}'; Expected = 'stopped' }
        @{ System = '{"Id":"a","State":"Stopped"}'; Expected = 'stopped' }
        @{ System = '{"Id":"a","State":"OfTomorrow"}'; Expected = 'unknown' }
    ) { (Read-Container $System).State | Should -Be $Expected }
}

Describe 'An HRESULT' {
    It '0x<Hex> is <Kind> <Code>' -ForEach @(
        @{ Hex = '00000000'; Kind = 'done'; Code = $null }
        @{ Hex = '00000001'; Kind = 'done'; Code = $null }
        @{ Hex = '00000005'; Kind = 'failed'; Code = 'NO_ACCESS' }
        @{ Hex = '80070005'; Kind = 'failed'; Code = 'NO_ACCESS' }
        @{ Hex = '00000032'; Kind = 'failed'; Code = 'FORMAT_UNSUPPORTED' }
        @{ Hex = 'c0370103'; Kind = 'pending'; Code = $null }
        @{ Hex = '80370103'; Kind = 'pending'; Code = $null }
        @{ Hex = 'c037010e'; Kind = 'not-found'; Code = $null }
        @{ Hex = 'c0370110'; Kind = 'already-stopped'; Code = $null }
        @{ Hex = '80370110'; Kind = 'already-stopped'; Code = $null }
        @{ Hex = '80370118'; Kind = 'timed-out'; Code = 'TIMED_OUT' }
        @{ Hex = 'c0370105'; Kind = 'failed'; Code = 'ENGINE_UNAVAILABLE' }
        @{ Hex = 'c037010d'; Kind = 'failed'; Code = 'INTERNAL' }
        @{ Hex = '80070424'; Kind = 'failed'; Code = 'ENGINE_UNAVAILABLE' }
        @{ Hex = '80004005'; Kind = 'failed'; Code = 'ENGINE_UNAVAILABLE' }
    ) {
        $meaning = InModuleScope Transship -Parameters @{ Result = [Convert]::ToUInt32($Hex, 16) } { param($Result) Get-ResultMeaning -Result $Result }
        $meaning.Kind, $meaning.Code | Should -Be $Kind, $Code
    }
}

Describe 'The declarations' {
    It 'compile as C# 5, as Add-Type of Windows PowerShell reads it' {
        $code = (Get-Content (Join-Path $ModulePath HostCompute.cs) -Raw) -replace 'namespace Transship', 'namespace OfCSharp5'
        Add-Type -TypeDefinition $code -CompilerOptions '-langversion:5', '-warnaserror'
        [OfCSharp5.HostCompute].IsAbstract | Should -BeTrue
    }

    It 'are of no library on a host that has none' -Skip:([bool] $Library) {
        $failures = Get-Failure { Get-ComputeContainer -Direct }
        $failures[0].FullyQualifiedErrorId | Should -Be 'ENGINE_UNAVAILABLE,Get-ComputeContainer'
        (Get-Failure { Stop-ComputeContainer a -Direct -Confirm:$false }).FullyQualifiedErrorId | Should -Be 'ENGINE_UNAVAILABLE,Stop-ComputeContainer'
        (Get-Failure { Wait-ComputeContainer a -Direct }).FullyQualifiedErrorId | Should -Be 'ENGINE_UNAVAILABLE,Wait-ComputeContainer'
    }
}

Describe 'The stand-in for <_>' -AllowNullOrEmptyForEach -ForEach @($Library | Where-Object { $_ }) {
    BeforeAll { $library = $_ }
    BeforeEach {
        $env:STAND_IN_FOLDER = (New-Item -ItemType Directory -Path "TestDrive:/$([guid]::NewGuid())").FullName
        [Environment]::SetEnvironmentVariable('STAND_IN_MODE', '')
    }
    BeforeAll {
        # The libraries read the environment of the process at its start: what is set here they see through setenv.
        Add-Type -Namespace Native -Name Environment -MemberDefinition '[System.Runtime.InteropServices.DllImport("libc")] public static extern int setenv(string name, string value, int overwrite);'
        function Set-Mode([string] $Mode) {
            $null = [Native.Environment]::setenv('STAND_IN_FOLDER', $env:STAND_IN_FOLDER, 1)
            $null = [Native.Environment]::setenv('STAND_IN_MODE', $Mode, 1)
        }
        function Get-Call { Get-Content (Join-Path $env:STAND_IN_FOLDER calls.log) }
    }

    It 'is the one that is opened' {
        Set-Mode ''
        (InModuleScope Transship { Open-HostCompute }).Library | Should -Be $library
    }

    It 'lists the containers that run, with owners and numbers, and all with -All' {
        Set-Mode ''
        $containers = Get-ComputeContainer -Direct
        $containers.Manager | Should -Be docker, containerd-shim-runhcs-v1.exe, Contoso.Inbox, docker, VMMS
        $containers[1].Name | Should -Be "Gr$([char] 0xfc)$([char] 0xdf)e$([char]::ConvertFromUtf32(0x1f600))"
        $containers[0].MemoryBytes, $containers[0].Pid | Should -Be 104857600, 42
        (Get-ComputeContainer -Direct -All).Count | Should -Be 6
        (Get-ComputeContainer -Direct -Manager docker).Count | Should -Be 2
        (Get-ComputeContainer -Direct s*).Name | Should -Be stubborn, slow
    }

    It 'stops, kills and says what became of each' {
        Set-Mode ''
        $ended = Get-ComputeContainer -Direct -All | Stop-ComputeContainer -Direct -Confirm:$false -PassThru -TimeoutSeconds 1 -ErrorAction SilentlyContinue -ErrorVariable failures
        $ended.Outcome | Should -Be stopped, stopped, failed, stopped, failed, already-stopped
        $failures.FullyQualifiedErrorId | Should -Be 'TIMED_OUT,Stop-ComputeContainer', 'NO_ACCESS,Stop-ComputeContainer'
        "$($failures[1])" | Should -BeLike '*0x80070005*access is denied*'
        $failures[1].ErrorDetails.RecommendedAction | Should -BeLike '*elevated*'
        $killed = Stop-ComputeContainer stubborn -Direct -Force -TimeoutSeconds 0 -Confirm:$false -PassThru
        $killed.Outcome, $killed.Manager, $killed.Via | Should -Be killed, Contoso.Inbox, host-compute-service
        Get-Call | Should -Contain 'HcsTerminateComputeSystem bb33 NULL'
    }

    It 'kills what does not end by itself with -Force' {
        Set-Mode ''
        (Stop-ComputeContainer bb33 -Direct -Force -TimeoutSeconds 1 -Confirm:$false -PassThru).Outcome | Should -Be killed
        (Get-Call) -match 'HcsShut[dD]ownComputeSystem bb33 NULL' | Should -Not -BeNullOrEmpty
    }

    It 'closes every handle that it opens' {
        Set-Mode ''
        $null = Get-ComputeContainer -Direct | Stop-ComputeContainer -Direct -Force -TimeoutSeconds 0 -Confirm:$false -ErrorAction SilentlyContinue
        $calls = Get-Call
        @($calls -match '^HcsOpenComputeSystem').Count | Should -Be @($calls -match '^HcsCloseComputeSystem').Count
        @($calls -match '^HcsCreateOperation').Count | Should -Be @($calls -match '^HcsCloseOperation').Count
    }

    It 'is asked nothing with -WhatIf' {
        Set-Mode ''
        Stop-ComputeContainer stubborn -Direct -WhatIf
        Test-Path (Join-Path $env:STAND_IN_FOLDER calls.log) | Should -BeFalse
    }

    It 'selects by the start of an id, and by no more than one' {
        Set-Mode ''
        (Get-Failure { Stop-ComputeContainer bb -Direct -Confirm:$false }).FullyQualifiedErrorId | Should -Be 'AMBIGUOUS_SELECTION,Stop-ComputeContainer'
        (Get-Failure { Stop-ComputeContainer nothing -Direct -Confirm:$false }).FullyQualifiedErrorId | Should -Be 'NOT_FOUND,Stop-ComputeContainer'
        (Stop-ComputeContainer aa -Direct -Confirm:$false -PassThru).Outcome | Should -Be stopped
    }

    It 'is waited for, as long as is given' {
        Set-Mode ''
        (Get-Failure { Wait-ComputeContainer stubborn -Direct -TimeoutSeconds 0 }).FullyQualifiedErrorId | Should -Be 'TIMED_OUT,Wait-ComputeContainer'
        $null = Stop-ComputeContainer slow -Direct -Confirm:$false
        Wait-ComputeContainer finished -Direct -PassThru | ForEach-Object State | Should -Be stopped
    }

    It 'gives an error with our code in mode <Mode>' -ForEach @(
        @{ Mode = 'denied'; Code = 'NO_ACCESS' }
        @{ Mode = 'garbage'; Code = 'MANIFEST_INVALID' }
    ) {
        Set-Mode $Mode
        (Get-Failure { Get-ComputeContainer -Direct }).FullyQualifiedErrorId | Should -Be "$Code,Get-ComputeContainer"
        (Get-Failure { Stop-ComputeContainer slow -Direct -Confirm:$false }).FullyQualifiedErrorId | Should -Be "$Code,Stop-ComputeContainer"
    }

    It 'has no container where it answers nothing' {
        Set-Mode empty
        Get-ComputeContainer -Direct | Should -BeNullOrEmpty
    }

    It 'is gone to without being asked where there is no command line' {
        Set-Mode ''
        $copy = Join-Path (Get-Item TestDrive:/).FullName alone/Transship
        Copy-Item -LiteralPath $ModulePath -Destination $copy -Recurse -Force
        $shell = [powershell]::Create()
        $null = $shell.AddScript({ param($module) Import-Module (Join-Path $module Transship.psd1); $env:PATH = '/nowhere'; (Get-ComputeContainer).Count; Stop-ComputeContainer aa -Force -Confirm:$false -PassThru }).AddArgument($copy)
        $path = $env:PATH
        try { $answer = $shell.Invoke() } finally { $env:PATH = $path }
        $answer[0] | Should -Be 5
        $answer[1].Outcome | Should -Be stopped
    }
}
