# {{ header }}
#
# By hand:  {{ "packer init . && " if plugins }}packer build -var private_key=FILE -var agent_package=FILE .
# The guest's own words (installer, provisioning, sealing) arrive in the file that `guest_log` names while they are said.

packer {
  required_version = ">= {{ "1.10.0" if plugins else "1.6.6" }}"
{% if plugins %}
  required_plugins {
    qemu = {
      source  = "github.com/hashicorp/qemu"
      version = ">= 1.1.0"
    }
  }
{% endif %}
}

variable "private_key" {
  type        = string
  default     = "build_key"
  description = "The private half of the key that the build user has while the image is built."
}

variable "agent_package" {
  type        = string
  default     = "{{ package }}"
  description = "The agent's package."
}

variable "output" {
  type    = string
  default = "output"
}

variable "accelerator" {
  type        = string
  default     = "kvm"
  description = "kvm, or tcg where there is no KVM; with tcg also set cpu to max."
}

variable "cpu" {
  type        = string
  default     = "host"
  description = "Never QEMU's own default: Red Hat Enterprise Linux 9 and later do not start on it."
}

variable "guest_log" {
  type    = string
  default = "guest.log"
}

variable "console_log" {
  type    = string
  default = "console.log"
}

variable "iso_url" {
  type    = string
  default = {{ medium.url | hcl }}
}

variable "iso_checksum" {
  type    = string
  default = {{ medium.checksum | hcl }}
}
{% if source == "iso" %}

variable "boot_wait" {
  type        = string
  default     = "10s"
  description = "Until the installer's menu is there; longer where the machine is emulated."
}
{% endif %}
{% if uefi_build %}

{% if plugins %}
variable "firmware_code" {
  type    = string
  default = "/usr/share/OVMF/OVMF_CODE_4M{{ ".ms" if secure }}.fd"
}

variable "firmware_vars" {
  type    = string
  default = "/usr/share/OVMF/OVMF_VARS_4M{{ ".ms" if secure }}.fd"
}
{% else %}
variable "firmware" {
  type        = string
  default     = "/usr/share/ovmf/OVMF.fd"
  description = "Code and variables in one file: this Packer cannot give a machine two."
}
{% endif %}
{% endif %}

source "qemu" "image" {
  vm_name          = "{{ name }}.qcow2"
  output_directory = var.output
  headless         = true
  vnc_bind_address = "127.0.0.1"

  accelerator         = var.accelerator
  machine_type        = "{{ "q35" if uefi_build else "pc" }}{{ ",smm=on" if secure and plugins }}"
  cpus                = {{ cpus }}
  memory              = {{ memory }}
  format              = "qcow2"
  disk_size           = "{{ disk }}M"
  disk_interface      = "{{ "virtio-scsi" if controller == "virtio-scsi" else "virtio" }}"
  disk_cache          = "unsafe"
  disk_discard        = "unmap"
  disk_detect_zeroes  = "unmap"
  disk_compression    = true
  net_device          = "virtio-net"
{% if uefi_build and plugins %}
  efi_boot            = true
  efi_firmware_code   = var.firmware_code
  efi_firmware_vars   = var.firmware_vars
{% endif %}

  iso_url      = var.iso_url
  iso_checksum = var.iso_checksum
{% if source == "iso" %}
{% if served == "http" %}
  http_directory = "installer"
{% else %}
  cd_files     = [{{ cd_files | map("hcl") | join(", ") }}]
  cd_label     = "{{ cd_label }}"
{% endif %}
  boot_wait    = var.boot_wait
  boot_command = [
{% for keys in boot_command %}
    {{ keys | hcl_keys }},
{% endfor %}
  ]
{% else %}
  disk_image       = true
  skip_resize_disk = {{ "true" if source == "bootstrap" else "false" }}
  cd_files         = ["seed/user-data", "seed/meta-data"]
  cd_label         = "cidata"
  boot_wait        = "1s"
{% endif %}

  communicator         = "ssh"
  ssh_username         = "{{ user }}"
  ssh_private_key_file = var.private_key
  ssh_timeout          = "{{ "90m" if source == "iso" else "30m" }}"
  shutdown_command     = "{{ seal }}"
  shutdown_timeout     = "20m"

  # A switch given here replaces all that Packer itself gives of it: no -drive, no -device and no -netdev.
  qemuargs = [
    ["-cpu", var.cpu],
    ["-serial", "file:${var.console_log}"],
    ["-serial", "file:${var.guest_log}"],
{% if secure and plugins %}
    ["-global", "driver=cfi.pflash01,property=secure,value=on"],
{% elif uefi_build and not plugins %}
    ["-bios", var.firmware],
{% endif %}
  ]
}

build {
  sources = ["source.qemu.image"]

{% include "provision.hcl" %}
}
