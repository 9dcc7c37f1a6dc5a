/* The names that osv programs have for numbers. */
#pragma once

typedef unsigned long size_t;
typedef long ssize_t;
typedef long offset_t;
typedef int pid_t;
typedef _Bool bool;

#define True  1
#define False 0
#define true 1
#define false 0
#ifndef NULL
#define NULL ((void *)0)
#endif

typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t;
typedef unsigned long uintptr_t;
typedef unsigned long vaddr_t;
typedef int sysret_t;
